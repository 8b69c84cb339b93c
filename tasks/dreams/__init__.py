"""A network's maps: which class drives them, what triggers them best, and dreams carved with them."""
