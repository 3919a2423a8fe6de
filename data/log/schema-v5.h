/* schema-v5.h - see schema-v5.c. */
#ifndef HILUM_DATA_LOG_SCHEMA_V5_H
#define HILUM_DATA_LOG_SCHEMA_V5_H

/* Makes the tables of version 5 beside those of version 4; then takes those away. What is in
 * between, moving the rows, is convert.c's. */
extern const char store_schema_v5[];
extern const char store_schema_v5_drop[];

#endif
