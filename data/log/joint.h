/* joint.h - whose key seals what is about several patients. Private to the room. */
#ifndef HILUM_DATA_LOG_JOINT_H
#define HILUM_DATA_LOG_JOINT_H

#include "private.h"

G_BEGIN_DECLS

/* The subject of TURN, which was asked on an image at least: that of its images, or the one that
 * stands for the several subjects of them. */
gboolean store_joint_subject(StoreLog *log, const StoreTurn *turn, const char *doing,
                             gint64 *subject, GError **error);
/* Appends to JOINT (of gint64) the joint subjects that SUBJECT is part of. */
gboolean store_joint_list(StoreLog *log, gint64 subject, const char *doing, GArray *joint,
                          GError **error);

G_END_DECLS
#endif
