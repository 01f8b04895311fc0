/* xml.h - the XML that S3 answers with: elements and their texts.
 *
 * Strict and small on purpose, since whatever answers may be hostile: no document type, no entities but the five of XML and character
 * references, no comments, no CDATA; attributes are passed over, and depth is bounded. What is none of that is refused. */
#ifndef REMOTE_XML_H
#define REMOTE_XML_H
#include <stdbool.h>
#include <stddef.h>

enum { XML_PATH_MAX = 256, XML_DEPTH_MAX = 8 };

/* Told when an element ends: its path from the root ("Error/Code") and the text in it, "" when there are elements in it. false ends
 * the reading. */
typedef bool (*xml_element)(void *context, const char *path, const char *text);

/* Reads a whole document; text is written over. false when it is none, or element() said so. */
bool xml_read(char *text, size_t size, xml_element element, void *context);

#endif
