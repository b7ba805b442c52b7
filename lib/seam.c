/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/seam.h"

#include <stddef.h>

static seam_hook *installed;
static void *installed_arg;

void seam_set(seam_hook *hook, void *arg)
{
    installed = hook;
    installed_arg = arg;
}

int seam_check(enum seam kind)
{
    return installed ? installed(kind, installed_arg) : 0;
}
