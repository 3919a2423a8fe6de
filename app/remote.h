/* remote.h - what the files of the remote backend share: a server that speaks OpenAI's chat
 * completions, its address, its stream, its messages. Nothing here knows libcurl; see
 * remote-http.h.
 */
#ifndef HILUM_APP_REMOTE_H
#define HILUM_APP_REMOTE_H

#include "private.h"

G_BEGIN_DECLS

/* ---- limits: what a server may make us keep ------------------------------------------------- */

/* Bytes of one answer: what the log takes as one text. */
#define APP_REMOTE_MAX_ANSWER (4u << 20)
/* Bytes of one event of the stream. An event holds a few words; its frame some hundred bytes. */
#define APP_REMOTE_MAX_EVENT (1u << 20)
/* Bytes of one whole stream: an answer of the greatest length in pieces of a few letters. */
#define APP_REMOTE_MAX_STREAM (512u << 20)
/* Bytes of an error page that are looked at. */
#define APP_REMOTE_MAX_COMPLAINT (16u << 10)
/* Bytes of the picture as PNG. The largest radiographs make some 30 MiB. */
#define APP_REMOTE_MAX_PICTURE (64u << 20)
/* Characters of a server's message, or of its name of a model, that are repeated. */
#define APP_REMOTE_MAX_MESSAGE 200

/* ---- the address (remote-address.c) --------------------------------------------------------- */

typedef struct {
  char *base;        /* "https://gpu.example:8000/v1", for the log */
  char *endpoint;    /* the same with /chat/completions */
  char *host;        /* "gpu.example:8000", for people */
  gboolean loopback; /* this machine */
} AppRemoteAddress;
void app_remote_address_clear(AppRemoteAddress *address);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AppRemoteAddress, app_remote_address_clear)
/* An address without a path gets "/v1". Refused: anything but http and https, a user name or
 * password, a query, and plain http to another machine unless OPTIONS->insecure. */
gboolean app_remote_address_parse(const AppRemoteOptions *options, AppRemoteAddress *address,
                                  GError **error);
/* $HILUM_ENGINE_KEY, or that of another role: NULL when it is unset or empty. FALSE when it could
 * not be sent as it is. */
gboolean app_remote_key(const AppRemoteOptions *options, char **key, GError **error);

/* ---- the request (remote-request.c) --------------------------------------------------------- */

typedef struct {
  char *question, *answer;
  GBytes *picture; /* PNG, that joined with QUESTION; or NULL */
} AppRemoteTurn;
void app_remote_turn_free(gpointer turn);
/* The body of a request: TURNS (of AppRemoteTurn) and QUESTION, with PICTURE (PNG, or NULL).
 * LOGPROBS: how likely each token was is asked as well. */
GString *app_remote_body(const char *model, GPtrArray *turns, GBytes *picture, const char *question,
                         const AppSampling *sampling, gboolean logprobs);

/* ---- the stream (remote-stream.c) ----------------------------------------------------------- */

/* Server-sent events (HTML, 9.2.6), cut out of bytes that come in any pieces. */
typedef struct {
  GString *line, *data;
  gboolean after_cr, begun, has_data;
} AppSse;
typedef enum {
  APP_SSE_MORE,
  APP_SSE_ENOUGH,   /* EVENT said so */
  APP_SSE_TOO_LONG, /* a line or event over APP_REMOTE_MAX_EVENT */
} AppSseState;
/* DATA ends in NUL. FALSE: enough. */
typedef gboolean (*AppSseEvent)(const char *data, gsize length, gpointer user);
void app_sse_init(AppSse *sse);
void app_sse_clear(AppSse *sse);
AppSseState app_sse_feed(AppSse *sse, const char *bytes, gsize length, AppSseEvent event,
                         gpointer user);
/* The last event, when the blank line behind it is missing. */
AppSseState app_sse_end(AppSse *sse, AppSseEvent event, gpointer user);

/* The tokens of an answer as a server tells them ("logprobs"), gathered over the stream. */
typedef struct {
  GString *bytes; /* of all of them */
  GArray *ends;   /* of ModelAnswerPiece, in BYTES */
} AppRemoteTokens;
void app_remote_tokens_init(AppRemoteTokens *tokens);
void app_remote_tokens_clear(AppRemoteTokens *tokens);
/* TO takes what FROM holds, behind its own. */
void app_remote_tokens_append(AppRemoteTokens *to, const AppRemoteTokens *from);
/* Reads the "logprobs" of a choice; what is none is passed over. */
void app_remote_tokens_read(AppRemoteTokens *tokens, JsonObject *choice);
/* Fills in the pieces of ANSWER, whose text was trimmed. None when the tokens do not make it up. */
void app_remote_tokens_fill(const AppRemoteTokens *tokens, ModelAnswer *answer);

/* What one event of a chat completion says. */
typedef struct {
  char *text;    /* that the answer grows by, or NULL; valid UTF-8 */
  char *model;   /* as the server calls it, or NULL */
  char *finish;  /* why the answer ends, or NULL */
  char *failure; /* what went wrong at the server ("" without a message), or NULL */
  gboolean has_usage;
  guint prompt_tokens, answer_tokens;
  AppRemoteTokens tokens; /* of text */
} AppRemoteChunk;
void app_remote_chunk_clear(AppRemoteChunk *chunk);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AppRemoteChunk, app_remote_chunk_clear)
/* FALSE: not such an event. Nothing of DATA is quoted. */
gboolean app_remote_chunk_read(const char *data, gsize length, AppRemoteChunk *chunk,
                               GError **error);

/* ---- messages (remote-message.c) ------------------------------------------------------------ */

/* The message in an error's body, or NULL: as it came, not for people yet. g_free(). */
char *app_remote_complaint(const char *body, gsize length, const char *content_type);
/* MESSAGE on one line, printable and short. g_free(). */
char *app_remote_printable(const char *message);
/* The same, for an error: NULL in place of one that repeats KEY, a part of SENT (texts; ends with
 * NULL), or a picture, which must be in no message. g_free(). */
char *app_remote_repeatable(const char *message, const char *key, const char *const *sent);
/* What a status says, with ADVICE for whoever set this up. */
const char *app_remote_status_text(guint status, gboolean has_key);

G_END_DECLS
#endif
