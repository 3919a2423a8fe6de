/* hands.h - threads for work of the data room, which starts none. Private to the room. */
#ifndef HILUM_APP_HANDS_H
#define HILUM_APP_HANDS_H

#include "record.h"

G_BEGIN_DECLS

/* As many as there are processors, up to eight. */
StoreHands app_hands(void);

G_END_DECLS
#endif
