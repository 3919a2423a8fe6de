/* json-string.h - one JSON string (RFC 8259, section 7) to its text. */
#ifndef HILUM_CLI_JSON_STRING_H
#define HILUM_CLI_JSON_STRING_H

#include <gio/gio.h>

/* LINE holds a string in quotes, blanks around it allowed. The text may hold NULs, which is why
 * json-glib does not do here. Half a surrogate pair is refused. */
GString *cli_json_string_parse(const char *line, gsize length, GError **error);

#endif
