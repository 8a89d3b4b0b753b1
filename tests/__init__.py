"""The promises of the platform, as tests. A test's name is the promise it keeps."""
