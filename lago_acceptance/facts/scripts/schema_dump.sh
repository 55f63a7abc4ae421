# Boots Lago's Rails in the API's container and lets it write the schema. It only reads, and waits for no lock.
printf '%s' "$program" | docker exec -i \
    -e PGOPTIONS='-c default_transaction_read_only=on -c statement_timeout=30s -c lock_timeout=2s' \
    "$container" sh -c '
    files=/sys/fs/cgroup
    if [ -f $files/memory.max ]; then
        limit=$(cat $files/memory.max) used=$(cat $files/memory.current) of_files=inactive_file
    elif [ -f $files/memory/memory.limit_in_bytes ]; then
        files=$files/memory
        limit=$(cat $files/memory.limit_in_bytes) used=$(cat $files/memory.usage_in_bytes) of_files=total_inactive_file
    fi
    if [ "${limit:-max}" != max ]; then
        free=$((limit - used + $(sed -n "s/^$of_files //p" $files/memory.stat)))
        if [ $free -lt "$2" ]; then
            echo "Error: the container has $((free / 1048576)) MiB left of its limit, and a second Rails needs $(($2 / 1048576))"
            exit
        fi
    fi
    # `docker exec` does not pass through an entrypoint that wraps the key, but the main process has it.
    if [ -z "$LAGO_RSA_PRIVATE_KEY" ]; then
        LAGO_RSA_PRIVATE_KEY=$(tr "\0" "\n" </proc/1/environ | sed -n "s/^LAGO_RSA_PRIVATE_KEY=//p")
        export LAGO_RSA_PRIVATE_KEY
    fi
    exec nice -n 19 timeout -k 5 "$1" bundle exec rails runner -' sh "$seconds" "$room" 2>&1
:
