# Outlives the test process and clears up after it: see guardian.rs.
# Reads lines from it: `group N` and `dir PATH` to take charge, `forget N` and `gone PATH` to be rid of it.

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
    # Processes on their way out may still write; a directory that will not go within ten seconds is left.
    tries=0
    until rm -rf "$dir" 2>/dev/null && [ ! -e "$dir" ] || [ "$tries" -ge 100 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
done
