/* schema-v2.h - what an image is, beside what it shows. */
#ifndef HILUM_DATA_LOG_SCHEMA_V2_H
#define HILUM_DATA_LOG_SCHEMA_V2_H

extern const char store_schema_v2[];

#endif
