/* line-pipe.h - a file of lines, worked on by all cores piece by piece, with results in order. Not
 * for others. */
#ifndef HILUM_APP_LINE_PIPE_H
#define HILUM_APP_LINE_PIPE_H

#include "dataset.h"

G_BEGIN_DECLS

#define APP_PIECE_TALLY 16u
/* What becomes of one piece. */
typedef struct {
  GByteArray *out, *aside; /* ASIDE: for a second file */
  DataCounts counts;
  guint64 tally[APP_PIECE_TALLY]; /* whatever else is counted */
  gpointer own;                   /* the worker's, freed with OWN_FREE */
  GDestroyNotify own_free;
  GArray *problems, *tickets; /* of DataProblem, of DataTicket */
} AppPiece;

void app_piece_init(AppPiece *piece);
void app_piece_reset(AppPiece *piece); /* empties it */
void app_piece_clear(AppPiece *piece);

typedef struct {
  guint n_threads; /* at least 1 */
  /* Of a worker; BYTES are N bytes of whole lines, the last one perhaps without its line break. */
  void (*work)(const char *bytes, gsize n, AppPiece *piece, gpointer user);
  /* Of the calling thread, in the order of the file; FIRST_LINE counts from 0. FALSE ends the run,
   * with *ERROR. */
  gboolean (*take)(AppPiece *piece, guint64 first_line, guint64 bytes_read, gpointer user,
                   GError **error);
  gpointer user;
} AppLinePipe;

/* The lines of PATH that begin within bytes FROM .. TO - 1. */
gboolean app_line_pipe_run(const AppLinePipe *pipe, const char *path, guint64 from, guint64 to,
                           GError **error);

G_END_DECLS
#endif
