/* index-file.h - an SQLite database whose pages are sealed. Private to the room.
 *
 * What is derived from the log and can be made again (the words to search for) lives in such a
 * file: each page on the disk is XChaCha20-Poly1305 of the page under KEY, with a fresh nonce and
 * its tag in the page's reserved bytes and the page's number as what it is bound to. A page that
 * was changed, moved or sealed under another key cannot be read (SQLITE_IOERR_AUTH from the file's
 * own VFS), and the caller makes the file anew. There is no journal on the disk: a write that was
 * cut short is found (a mark in a file beside it, which a finished write takes away) at the next
 * opening or, by those who have the file open, at the next reading (SQLITE_IOERR_AUTH), and the
 * caller makes the file anew then, too. Two things are not promised: that old pages are gone from
 * the disk, and that a page which was put back as it was some time ago is found.
 *
 * Thread rule: a connection belongs to one thread; several processes may share the file.
 */
#ifndef HILUM_DATA_LOG_INDEX_FILE_H
#define HILUM_DATA_LOG_INDEX_FILE_H

#include <glib.h>
#include <sqlite3.h>

G_BEGIN_DECLS

/* Opens PATH, or makes it (mode 0600), ready for SQL; no other files are written but PATH and
 * "PATH-busy", nothing goes to temporary files. CORRUPT when it is not readable under KEY or a
 * write was cut short: store_index_file_remove() and open again. READ_ONLY: NOT_FOUND when it is
 * missing. */
sqlite3 *store_index_file_open(const char *path, const guint8 key[32], gboolean read_only,
                               GError **error);
/* Writing happens between these alone: takes the write lock and sets the mark; commits and takes it
 * away. CORRUPT: make the file anew. After a commit that failed the file counts as cut short. */
gboolean store_index_file_begin(sqlite3 *db, GError **error);
gboolean store_index_file_commit(sqlite3 *db, GError **error);
void store_index_file_rollback(sqlite3 *db);
void store_index_file_close(sqlite3 *db);
/* Overwrites the file with zeros and removes it and its mark, when nobody writes it. Those who have
 * it open read SQLITE_IOERR_AUTH from then on. */
gboolean store_index_file_remove(const char *path, GError **error);

G_END_DECLS
#endif
