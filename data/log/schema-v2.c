/* schema-v2.c - what an image is, beside what it shows.
 *
 * 1. warnings holds the names of the gate's flags with commas between, '' when it was judged and
 *    nothing was found, NULL in rows of version 1 and for pictures that nobody judged.
 * 2. None of the four can name a patient: terms of the standard and names of flags.
 */
#include "schema-v2.h"

const char store_schema_v2[] = "ALTER TABLE images ADD COLUMN body_part TEXT;\n"
                               "ALTER TABLE images ADD COLUMN view TEXT;\n"
                               "ALTER TABLE images ADD COLUMN laterality TEXT;\n"
                               "ALTER TABLE images ADD COLUMN warnings TEXT;\n";
