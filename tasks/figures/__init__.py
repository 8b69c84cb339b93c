"""The pictures of the `wifi` flow: stages that take tables and return one `Picture` each."""
