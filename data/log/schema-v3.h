/* schema-v3.h - where the model ran. */
#ifndef HILUM_DATA_LOG_SCHEMA_V3_H
#define HILUM_DATA_LOG_SCHEMA_V3_H

extern const char store_schema_v3[];

#endif
