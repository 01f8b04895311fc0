# code.awk - C source with comments and the insides of string and character literals blanked, line for line.
# state: 0 code, 1 block comment, 2 string, 3 character
{
    out = ""
    for (i = 1; i <= length($0); i++) {
        c = substr($0, i, 1)
        two = substr($0, i, 2)
        if (state == 1) {
            if (two == "*/") { state = 0; i++ }
        } else if (state >= 2) {
            if (c == "\\") i++
            else if (c == (state == 2 ? "\"" : "'")) { state = 0; out = out c }
        } else if (two == "/*") { state = 1; i++ }
        else if (two == "//") break
        else {
            out = out c
            if (c == "\"") state = 2
            else if (c == "'") state = 3
        }
    }
    print out
}
