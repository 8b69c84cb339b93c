"""The pictures of the flows: stages that take tables and arrays and return one `Picture` each."""
