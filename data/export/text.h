/* text.h - numbers and texts as the writers of exports share them. Private to the room. */
#ifndef HILUM_DATA_EXPORT_TEXT_H
#define HILUM_DATA_EXPORT_TEXT_H

#include "store_export.h"
#include "json-text.h"

/* The fewest digits that read back to VALUE, with a point whatever the locale; nothing for what is
 * not a finite number. */
void store_text_append_real(GString *out, double value);
/* "NAME": value, with the comma before it where one is due; null for NULL and for what is not a
 * finite number. Bytes that are no UTF-8 become U+FFFD. */
void store_json_append_text(GString *out, const char *name, const char *text);
void store_json_append_int(GString *out, const char *name, gint64 value);
void store_json_append_real(GString *out, const char *name, double value);
void store_json_append_bool(GString *out, const char *name, gboolean value);
/* A comma before the next element of an array, but for the first. */
void store_json_append_comma(GString *out);

#endif
