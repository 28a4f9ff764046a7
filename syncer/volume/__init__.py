"""From a list of files to what visitors see, and what becomes of it: the only code that writes to the volume."""
