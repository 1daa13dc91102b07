//! Invented, harmless names: what channels are about, what their videos are called, which sounds they use.

use super::dice::Dice;

/// What a channel is about.
#[derive(Debug)]
pub(super) struct Niche {
    /// Ends a handle.
    handles: [&'static str; 4],
    things: [&'static str; 8],
    pub(super) hashtags: [&'static str; 6],
    /// Weights of the age bands, youngest first.
    pub(super) ages: [f64; 7],
    /// Share of women among those who say.
    pub(super) female: f64,
}

pub(super) const NICHES: [Niche; 8] = [
    Niche {
        handles: ["kitchen", "spoon", "oven", "pantry"],
        things: ["dumplings", "flatbread", "noodle soup", "lemon cake", "rice bowls", "pickles", "pancakes", "stew"],
        hashtags: ["cooking", "easyrecipes", "streetfood", "baking", "homecook", "spicy"],
        ages: [0.5, 1.2, 1.6, 1.3, 1.0, 0.7, 0.4],
        female: 0.6,
    },
    Niche {
        handles: ["moves", "steps", "tempo", "studio"],
        things: [
            "a spin combo",
            "the shuffle",
            "partner turns",
            "slow waves",
            "footwork",
            "a warm-up",
            "freezes",
            "the drop",
        ],
        hashtags: ["dance", "dancetutorial", "choreography", "freestyle", "rehearsal", "groove"],
        ages: [2.4, 2.0, 0.9, 0.4, 0.2, 0.1, 0.1],
        female: 0.68,
    },
    Niche {
        handles: ["plays", "level", "pixel", "arcade"],
        things: [
            "the ice level",
            "a speed run",
            "the last boss",
            "a tiny farm",
            "hidden doors",
            "the racing cup",
            "a castle",
            "co-op",
        ],
        hashtags: ["gaming", "speedrun", "indiegame", "retro", "highscore", "cozygames"],
        ages: [2.2, 2.0, 1.2, 0.5, 0.2, 0.1, 0.05],
        female: 0.27,
    },
    Niche {
        handles: ["trails", "miles", "map", "compass"],
        things: [
            "night trains",
            "a hidden beach",
            "the old town",
            "mountain huts",
            "a ferry day",
            "markets",
            "two lakes",
            "a desert",
        ],
        hashtags: ["travel", "hiking", "citywalk", "slowtravel", "viewpoint", "roadtrip"],
        ages: [0.4, 1.2, 1.8, 1.4, 1.0, 0.8, 0.6],
        female: 0.52,
    },
    Niche {
        handles: ["fit", "stretch", "runs", "gym"],
        things: [
            "a five-minute core",
            "hill sprints",
            "desk stretches",
            "push-ups",
            "morning mobility",
            "balance",
            "a plank",
            "skipping",
        ],
        hashtags: ["fitness", "homeworkout", "running", "mobility", "morningroutine", "stretching"],
        ages: [0.8, 1.6, 1.7, 1.1, 0.7, 0.4, 0.2],
        female: 0.48,
    },
    Niche {
        handles: ["lab", "facts", "numbers", "questions"],
        things: [
            "magnets",
            "why ice floats",
            "prime numbers",
            "soap films",
            "tides",
            "the moon",
            "sound waves",
            "a pendulum",
        ],
        hashtags: ["science", "learnontheside", "maths", "experiment", "space", "howitworks"],
        ages: [1.2, 1.5, 1.2, 1.0, 0.8, 0.6, 0.5],
        female: 0.42,
    },
    Niche {
        handles: ["paws", "tails", "nest", "whiskers"],
        things: [
            "a sleepy cat",
            "the puppy's first snow",
            "goat yoga",
            "a clever crow",
            "hamster maze",
            "ducklings",
            "a parrot",
            "bath day",
        ],
        hashtags: ["pets", "catsofthrong", "puppy", "rescue", "wildlife", "animalfriends"],
        ages: [1.1, 1.1, 1.1, 1.0, 1.0, 0.9, 0.9],
        female: 0.62,
    },
    Niche {
        handles: ["crafts", "stitches", "paints", "workshop"],
        things: [
            "a paper lamp",
            "tiny bookshelves",
            "clay cups",
            "watercolour hills",
            "a knitted hat",
            "wood joints",
            "ink stamps",
            "a kite",
        ],
        hashtags: ["diy", "handmade", "painting", "woodwork", "knitting", "upcycling"],
        ages: [0.6, 1.0, 1.3, 1.3, 1.2, 1.1, 0.9],
        female: 0.66,
    },
];

const FIRST: [&str; 24] = [
    "amber", "birch", "cedar", "coral", "dune", "ember", "fern", "grove", "hazel", "indigo", "juniper", "kelp", "lark",
    "maple", "nimbus", "ochre", "pebble", "quill", "reed", "saffron", "thistle", "umber", "velvet", "willow",
];

const OPENINGS: [&str; 10] = [
    "Three ways with",
    "Trying",
    "The truth about",
    "One minute of",
    "How I learned",
    "Day one:",
    "Everything on",
    "Again:",
    "Nobody told me about",
    "Wait for it:",
];

const SOUNDS: [(&str, &str); 10] = [
    ("Paper Lanterns", "Moss & Tide"),
    ("Blue Umbrella", "The Quiet Trams"),
    ("Night Bus", "Oda Lind"),
    ("Tin Drum Summer", "Kites"),
    ("Half Moon", "Pale Harbour"),
    ("Run the Stairs", "Vega Ruiz"),
    ("Soft Static", "Marrow Lane"),
    ("Orange Peel", "Little Weather"),
    ("Long Exposure", "Ninth Floor"),
    ("Hello Again", "Tomo"),
];

/// General hashtags that any video may carry.
pub(super) const COMMON_HASHTAGS: [&str; 4] = ["fyp", "today", "smallthings", "weekend"];

/// What the newest videos have in common.
pub(super) const CHALLENGE_HASHTAG: &str = "paperboats";

/// The sound of the same videos.
pub(super) fn challenge_sound() -> String {
    "Paper Boats – Anouk Ferry".to_owned()
}

/// A handle that no other creator of the world has.
pub(super) fn handle(niche: &Niche, number: usize, dice: &mut Dice) -> String {
    let end = dice.one(&niche.handles).copied().unwrap_or("channel");
    let first = FIRST.get(number % FIRST.len()).copied().unwrap_or("plain");
    match number / FIRST.len() {
        0 => format!("{first}.{end}"),
        round => format!("{first}.{end}{round}"),
    }
}

/// A title.
pub(super) fn title(niche: &Niche, dice: &mut Dice) -> String {
    let opening = dice.one(&OPENINGS).copied().unwrap_or("About");
    let thing = dice.one(&niche.things).copied().unwrap_or("things");
    format!("{opening} {thing}")
}

/// A sound, popular ones more often.
pub(super) fn sound(dice: &mut Dice) -> String {
    let (name, artist) = SOUNDS.get(dice.low_below(SOUNDS.len())).copied().unwrap_or(("Silence", "Nobody"));
    format!("{name} – {artist}")
}
