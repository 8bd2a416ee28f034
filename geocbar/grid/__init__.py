"""Where value and place meet: rasters and points."""
