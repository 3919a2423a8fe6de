#ifndef HILUM_DATA_LOG_SCHEMA_V1_H
#define HILUM_DATA_LOG_SCHEMA_V1_H

extern const char store_schema_v1[];

#endif
