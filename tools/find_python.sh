#!/bin/sh
# Prints a Python that can run this project. The candidates are the arguments, else what is usual.
# MXNet 1.9.1 is known to work with Python 3.9 to 3.13; 3.13 needs NumPy 2, so it is the last choice.
if [ $# -eq 0 ]; then
    set -- python3 python python3.12 python3.11 python3.10 python3.9 python3.13
fi
suitable='import sys; sys.exit(not (3, 9) <= sys.version_info[:2] <= (3, 13))'
has_venv='import importlib.util as u, sys; sys.exit(not (u.find_spec("venv") and (u.find_spec("ensurepip") or u.find_spec("pip"))))'
seen=''
fallback=''
for candidate in "$@"; do
    version=$("$candidate" -c 'import sys; print(".".join(map(str, sys.version_info[:3])))' 2>/dev/null) || continue
    seen="$seen $candidate ($version)"
    "$candidate" -c "$suitable" || continue
    if "$candidate" -c "$has_venv"; then
        command -v "$candidate"
        exit 0
    fi
    [ -n "$fallback" ] || fallback=$candidate
done
if [ -n "$fallback" ]; then # set_up.py says what it misses
    command -v "$fallback"
    exit 0
fi
{
    echo "No suitable Python found: 3.9 to 3.13 is needed (MXNet 1.9.1 is not known to work with others)."
    echo "Tried: $*"
    echo "Found:${seen:- none}"
    echo "Install one (Debian, Ubuntu: apt install python3 python3-venv), or name it: make PYTHON=/path/to/python3.12 ..."
} >&2
exit 1
