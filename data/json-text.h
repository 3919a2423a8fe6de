/* json-text.h - JSON written as text, for lines by the million. Private to the room. */
#ifndef HILUM_DATA_JSON_TEXT_H
#define HILUM_DATA_JSON_TEXT_H

#include <glib.h>

/* TEXT (N bytes of UTF-8) as a JSON string, with its quotes. Only what JSON forbids is escaped. */
void store_json_append(GString *out, const char *text, gsize n);
/* ", " if something came before in this object, then "NAME": ; NAME needs no escapes. */
void store_json_append_name(GString *out, const char *name);
/* The same with TEXT, or null. */
void store_json_append_member(GString *out, const char *name, const char *text);

#endif
