"""The Evolve partner portal: a browser signs in and brings both tables as files; it reads no row and moves no file."""
