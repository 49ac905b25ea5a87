"""The page's panels: widgets of viser's that change the session, and pictures that follow it. No viser here."""
