#!/bin/sh
# Writes the pages about the topics of the installed systems, under the names that they have in this deployment, and serves them
# as a Git repository, from which Redpanda Console reads them: serve_topic_docs.sh FOLDER [ADDRESS PORT]
set -eu
folder="$1/topics"
rm -rf "$folder"
caudal topic-docs "$folder" >/dev/null
git init -q -b main "$folder"
git -C "$folder" add .
git -C "$folder" -c user.name=caudal -c user.email=caudal@localhost commit -q -m "Document the topics"
exec git daemon --reuseaddr --export-all --base-path="$1" ${2:+--listen="$2"} ${3:+--port="$3"} "$folder"
