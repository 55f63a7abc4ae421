# The rest of the program that removes a stack that was kept. Variables that precede this text: run, folder.
left=$(sh "$folder/remove-stack.sh" "$run")
if [ -n "$left" ]; then
    printf 'still there: %s\n' "$left" >&2
    exit 1
fi
rm -rf "$folder" && printf 'removed %s\n' "$run"
