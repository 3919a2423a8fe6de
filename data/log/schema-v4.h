/* schema-v4.h - what of an image was sent, what was made of an answer, and words to find. */
#ifndef HILUM_DATA_LOG_SCHEMA_V4_H
#define HILUM_DATA_LOG_SCHEMA_V4_H

extern const char store_schema_v4[];

#endif
