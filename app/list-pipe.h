/* list-pipe.h - lists in any layout, as whole lines, worked on piece by piece with results in
 * order. Not for others. */
#ifndef HILUM_APP_LIST_PIPE_H
#define HILUM_APP_LIST_PIPE_H

#include "app_dataset.h"
#include "line-pipe.h"

G_BEGIN_DECLS

/* How PATH is laid out. FROM: what somebody said it is, or NULL: look. data_layout_clear(). */
gboolean app_list_find(const char *path, const char *from, DataLayout *layout, GError **error);
/* As app_line_pipe_run(). What is one JSON value goes record by record, on the calling thread, with
 * the line of each problem as it is in the file (FIRST_LINE 0); it knows no parts, FROM and TO are
 * for lines. One that ends too early is told as a problem of its last piece, and is no failure. */
gboolean app_list_run(const AppLinePipe *pipe, const char *path, const DataLayout *layout,
                      guint64 from, guint64 to, GError **error);
/* Tells LISTENER the first problems of PATH, by line; *N_TOLD counts them. PART: lines are counted
 * from the start of a shard. */
void app_list_tell(const AppPiece *piece, guint64 first_line, const char *path, gboolean part,
                   const AppDatasetListener *listener, guint *n_told);
/* Whether to go on, after BYTES of TOTAL. */
gboolean app_list_go_on(const AppDatasetListener *listener, guint64 bytes, guint64 total,
                        GError **error);
/* Bytes of a file; what is no file is refused. */
gboolean app_list_size(const char *path, guint64 *size, GError **error);
/* {reason: count}. */
JsonObject *app_list_dropped(const DataCounts *counts);

G_END_DECLS
#endif
