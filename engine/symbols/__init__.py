"""Which symbols a project's source files hold and what each of them names."""
