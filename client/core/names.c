/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/names.h"

#include "lib/secret.h"

#include <stdio.h>

/* Words that suit anybody at a bad hour: none about strength, looks, age or illness, no
 * animal that is an insult somewhere, and none that sounds like another. */
/* clang-format off */
static const char *const adjectives[] = {
    "Amber", "Bright", "Brisk", "Calm", "Candid", "Cheery", "Clear", "Clever", "Copper",
    "Coral", "Cosy", "Curious", "Daring", "Eager", "Early", "Easy", "Fair", "Fond",
    "Gentle", "Glad", "Golden", "Grand", "Green", "Happy", "Hardy", "Hazel", "Honest",
    "Humble", "Ivory", "Jolly", "Keen", "Kind", "Lively", "Lucky", "Lunar", "Maple",
    "Mellow", "Merry", "Mild", "Misty", "Modest", "Neat", "Nimble", "Noble", "Patient",
    "Peaceful", "Plucky", "Polar", "Quick", "Quiet", "Ready", "Robust", "Rosy", "Scarlet",
    "Serene", "Silver", "Snug", "Solar", "Steady", "Sturdy", "Sunny", "Swift", "Tender",
    "Thankful", "Tidy", "Trusty", "Velvet", "Violet", "Warm", "Willing", "Winter", "Wise",
    "Witty", "Zesty",
};

static const char *const animals[] = {
    "Alpaca", "Badger", "Beaver", "Bison", "Bluebird", "Bobcat", "Bumblebee", "Bunting",
    "Camel", "Caribou", "Cheetah", "Chickadee", "Cormorant", "Crane", "Cricket", "Curlew",
    "Deer", "Dolphin", "Dove", "Dragonfly", "Egret", "Elk", "Falcon", "Finch", "Firefly",
    "Flamingo", "Fox", "Gannet", "Gazelle", "Gecko", "Giraffe", "Goldfinch", "Hamster",
    "Hare", "Hedgehog", "Heron", "Hoopoe", "Hummingbird", "Ibex", "Ibis", "Jackdaw",
    "Kestrel", "Kingfisher", "Kiwi", "Koala", "Lark", "Lemur", "Linnet", "Llama", "Lynx",
    "Magpie", "Manatee", "Marmot", "Marten", "Meerkat", "Moose", "Narwhal", "Nightingale",
    "Numbat", "Ocelot", "Oriole", "Osprey", "Otter", "Owl", "Panda", "Pelican", "Penguin",
    "Petrel", "Plover", "Pony", "Puffin", "Quail", "Quokka", "Rabbit", "Raven",
    "Redstart", "Reindeer", "Robin", "Salmon", "Sandpiper", "Seahorse", "Sparrow",
    "Squirrel", "Starling", "Stork", "Swallow", "Swan", "Tapir", "Tern", "Thrush",
    "Tortoise", "Turtle", "Wagtail", "Walrus", "Warbler", "Wombat", "Woodpecker", "Wren",
    "Yak", "Zebra",
};
/* clang-format on */

enum {
    ADJECTIVES = sizeof adjectives / sizeof adjectives[0],
    ANIMALS = sizeof animals / sizeof animals[0],
};

/* A number below bound that is not among the first count of taken. */
static int draw(uint32_t bound, const uint32_t *taken, size_t count, uint32_t *out)
{
    size_t i;

    do {
        int rc = rand_below(bound, out);

        if (rc)
            return rc;
        for (i = 0; i < count && taken[i] != *out; i++)
            ;
    } while (i < count);
    return 0;
}

int names_suggest(char out[NAMES_SUGGESTED][NAMES_CHARS_MAX + 1])
{
    uint32_t adjective[NAMES_SUGGESTED] = {0}, animal[NAMES_SUGGESTED] = {0};

    for (size_t i = 0; i < NAMES_SUGGESTED; i++) {
        int rc = draw(ADJECTIVES, adjective, i, &adjective[i]);

        if (!rc)
            rc = draw(ANIMALS, animal, i, &animal[i]);
        if (rc)
            return rc;
        snprintf(out[i], NAMES_CHARS_MAX + 1, "%s %s", adjectives[adjective[i]],
                 animals[animal[i]]);
    }
    return 0;
}
