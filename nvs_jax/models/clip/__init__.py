"""CLIP's image encoder and how pictures are made ready for it."""
