# Ruby with Lago's models, in the API container. Scripts come by standard input, and no value becomes an argument.
rails() { # text of the script; prints the rest of the lines that begin with our own word
    said=$(printf '%s' "$1" | ASKED_ORGANIZATION=${asked_organization:-} ASKED_KEY=${asked_key:-} ASKED_EXPIRY=${asked_expiry:-} docker exec -i \
        -e ASKED_ORGANIZATION -e ASKED_KEY -e ASKED_EXPIRY "$api_container" sh -c '
        # `docker exec` does not pass through an entrypoint that wraps the key, but the main process has it.
        if [ -z "$LAGO_RSA_PRIVATE_KEY" ]; then
            LAGO_RSA_PRIVATE_KEY=$(tr "\0" "\n" </proc/1/environ | sed -n "s/^LAGO_RSA_PRIVATE_KEY=//p")
            export LAGO_RSA_PRIVATE_KEY
        fi
        exec bin/rails runner -' 2>&1) || {
        # What is printed last is where it happened; what happened comes first.
        printf '%s\n' "$said" | awk -v own="lago-acceptance$tab" '
            index($0, own) == 1 || !NF { next }
            { last = $0 }
            /Error|aborted/ && !cause { cause = $0 }
            END { print (cause ? cause : last) }'
        return 1
    }
    printf '%s\n' "$said" | sed -n "s/^lago-acceptance$tab//p"
}
ask_organizations() { rails "$ruby_organizations"; }
