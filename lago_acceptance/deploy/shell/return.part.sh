# Goes back to an earlier backup: the names of its images, and its database where the schema has moved on since.
change_return() {
    name_images "$from_backup/images"
    [ -s "$from_backup/database.dump" ] || return 0
    container=$(db_container)
    schema_differs "$from_backup/identity" "$container" || return 0
    restore_dump "$container" "$from_backup" "returned_$deploy_tag"
}
# Undoing `up` and `dump` returns to the images and data of before this rollback.
undo_return() { :; }
