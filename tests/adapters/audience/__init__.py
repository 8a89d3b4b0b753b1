"""The audience: recipients as bytes and columns, the index by area and by point, and who would be told."""
