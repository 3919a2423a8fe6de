/* list-pipe.h - lists in any layout, as whole lines, worked on piece by piece with results in
 * order. Not for others. */
#ifndef HILUM_APP_LIST_PIPE_H
#define HILUM_APP_LIST_PIPE_H

#include "line-pipe.h"

G_BEGIN_DECLS

/* How PATH is laid out. FROM: what somebody said it is, or NULL: look. data_layout_clear(). */
gboolean app_list_find(const char *path, const char *from, DataLayout *layout, GError **error);
/* As app_line_pipe_run(). What is one JSON value goes record by record, on the calling thread, with
 * the line of each problem as it is in the file (FIRST_LINE 0); it knows no parts, FROM and TO are
 * for lines. One that ends too early is told as a problem of its last piece, and is no failure. */
gboolean app_list_run(const AppLinePipe *pipe, const char *path, const DataLayout *layout,
                      guint64 from, guint64 to, GError **error);

G_END_DECLS
#endif
