"""What users hand in, as the arrays of given views: pictures, depth, cameras, paths."""
