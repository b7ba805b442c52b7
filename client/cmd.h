/* SPDX-License-Identifier: Apache-2.0 */
/* cmd: one function a verb.
 * Flow     main -> cmd_* -> app, core/node -> say
 * Each returns the exit code and has said what there is to say. */
#ifndef KITH_CLIENT_CMD_H
#define KITH_CLIENT_CMD_H

#include "client/app.h"

int cmd_join(struct app *a);
int cmd_link(struct app *a);
int cmd_accept_link(struct app *a);
int cmd_verify(struct app *a);
int cmd_send(struct app *a);
int cmd_read(struct app *a);
int cmd_list(struct app *a);
int cmd_chat(struct app *a);
int cmd_status(struct app *a);
int cmd_alarms(struct app *a);
int cmd_limits(struct app *a);
int cmd_crisis(struct app *a);
int cmd_forget(struct app *a);
int cmd_wipe(struct app *a);
int cmd_lock(struct app *a);

#endif
