// Stub to keep the skeleton building until the module's first file lands.
