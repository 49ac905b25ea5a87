"""UMT5's encoder: prompts as embeddings."""
