/* limits.h - what the log refuses, and why. */
#ifndef HILUM_DATA_LOG_LIMITS_H
#define HILUM_DATA_LOG_LIMITS_H

/* Bytes of one text. The longest context (2^20 positions) makes answers of about this size. */
#define STORE_MAX_TEXT (4u << 20)
/* Ids of one prompt or answer: MODEL_MAX_CONTEXT. */
#define STORE_MAX_IDS (1u << 20)
/* Bytes of one row as SQLite sees it: two objects of STORE_MAX_BODY, and room. */
#define STORE_MAX_ROW (112 << 20)
/* Bytes of a file that is checked whole at each opening (some tens of milliseconds). A larger one
 * is checked page by page as it is read. */
#define STORE_MAX_QUICK_CHECK (8 << 20)
/* Bytes of one of an event's two JSON objects: texts and ids as JSON may be six times as long. */
#define STORE_MAX_BODY (48u << 20)
/* How long another program may hold the write lock. A turn holds it for one fsync. */
#define STORE_BUSY_MS 10000

#endif
