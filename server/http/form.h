/* form.h - percent-decoding, of paths and of forms. */
#ifndef HTTP_FORM_H
#define HTTP_FORM_H

/* The byte that "%XX" at text stands for; -1 when the two digits are not there. */
int form_escape(const char *text);

#endif
