"""Programs that append to one store each, for so many seconds, and print one line of JSON: what `append` compares."""
