"""Stand-in of the Evolve partner portal: the pages a person sees, and the two exports they download."""
