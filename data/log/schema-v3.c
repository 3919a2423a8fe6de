/* schema-v3.c - where the model ran.
 *
 * 1. engine is NULL for a model in the program itself, as all were before this version, else the
 *    address of the server that questions and pictures were sent to. It holds no key and no name of
 *    a user. What such a model's other columns say is what the server said.
 */
#include "schema-v3.h"

const char store_schema_v3[] = "ALTER TABLE models ADD COLUMN engine TEXT;\n";
