# Outlives the test process and cleans up after it: see guardian.rs.
# Reads lines: `group N` and `dir PATH` register, `forget N` and `gone PATH` unregister.

trap '' HUP INT TERM
newline='
'
IFS=$newline
groups=$newline
dirs=$newline

without() { # without LIST ENTRY: prints LIST with ENTRY taken out
    for entry in $1; do
        [ "$entry" = "$2" ] || printf '%s\n' "$entry"
    done
}

while read -r line; do
    value=${line#* }
    case $line in
    group\ *) groups=$groups$value$newline ;;
    forget\ *) groups=$newline$(without "$groups" "$value")$newline ;;
    dir\ *) dirs=$dirs$value$newline ;;
    gone\ *) dirs=$newline$(without "$dirs" "$value")$newline ;;
    esac
done

# The test process has ended: its end of the pipe is closed.
for group in $groups; do
    kill -s KILL -- "-$group" 2>/dev/null
done
for dir in $dirs; do
    # Ending processes may still write. A directory that cannot be removed within ten seconds stays.
    tries=0
    until rm -rf "$dir" 2>/dev/null && [ ! -e "$dir" ] || [ "$tries" -ge 100 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
done
