"""Made-up names, titles and places of work; any likeness is chance."""

FIRST = (
    "Abena", "Adaeze", "Aiyana", "Alma", "Anneliese", "Beatriz", "Bernadette", "Caoimhe", "Carmela", "Chidi",
    "Constance", "Darnell", "Dolores", "Elif", "Esperanza", "Fatoumata", "Fionnuala", "Gwendolyn", "Hanako", "Hortense",
    "Imani", "Ingrid", "Jelena", "Joaquín", "Kanoa", "Keisha", "Kwame", "Lakshmi", "Léa", "Leilani", "Lucinda",
    "Marisol", "Maeve", "Mirembe", "Naomi", "Ngọc", "Nizhoni", "Oona", "Ottilie", "Perpetua", "Priya", "Quetzalli",
    "Rashida", "Rosalind", "Ruth", "Saoirse", "Shanice", "Siobhán", "Soledad", "Svetlana", "Tāne", "Thandiwe",
    "Theodora", "Ursula", "Veronika", "Vivienne", "Wilhelmina", "Winona", "Xiadani", "Ximena", "Yesenia", "Yusra",
    "Zainab", "Zelda",
)  # fmt: skip
LAST = (
    "Achterberg", "Adeyemi", "Almonte", "Arceneaux", "Baptiste", "Begay", "Blackwood", "Brandvold", "Castañeda",
    "Cattaneo", "Chukwu", "Czarnecki", "Delacroix", "Dimitriou", "Eriksdóttir", "Espinoza", "Fairweather",
    "Featherstone", "Fitzgibbon", "Gutiérrez", "Halvorsen", "Hallorann", "Haywood", "Ibarra", "Iwasaki", "Jankowska",
    "Jimerson", "Kealoha", "Kowalczyk", "Lachapelle", "Laughing", "Lindqvist", "Lindeman", "Mahoe", "Marchetti",
    "McAllister", "Montrose", "Nakai", "Nakamura", "Nwosu", "O’Dowd", "Okonkwo", "Oyelaran", "Papadakis", "Pettway",
    "Quiñones", "Quispe", "Robichaud", "Rosenbloom", "Sandoval", "Sørensen", "Stillwater", "Tallchief", "Tran",
    "Trujillo", "Uchenna", "Urquhart", "Valdivia", "Van der Meer", "Vasquez-Lund", "Whitehorse", "Wojcik", "Yamamoto",
    "Yellowhair", "Zambrano", "Zielińska",
)  # fmt: skip
CREDENTIALS = ("", "", "", "LMSW", "MSW, LCSW", "MA, LPC", "RN", "MEd", "PhD", "BS", "MA", "EdD", "LMFT")
TRAININGS = (
    "Attachment in everyday care", "Watching, waiting, wondering", "Infant observation seminar",
    "Early relational health",
    "Brain development from birth to three", "Trauma and the very young child", "Perinatal mood and anxiety",
    "Home visiting in winter", "Sleep, crying and soothing", "Families and substance use", "Play as language",
    "Ghosts and angels in the nursery", "Fathers in the room", "Grief in early childhood", "Temperament and fit",
    "Reading cues together", "Disorders of infancy", "Working across cultures", "Law and policy for young families",
    "Preterm birth and the family", "Foster care in the first years", "Prevention in child care",
)  # fmt: skip
SHARED_TRAININGS = ("Diversity, equity and inclusion in infant mental health", "Diversity-informed practice")
PROVISION_TRAININGS = ("Becoming a reflective supervisor", "Holding the parallel process")
WORK = (
    "Home visitor, family support", "Early interventionist", "Infant specialist, child welfare", "Teacher, infant room",
    "Therapist, parent-infant programme", "Nurse, newborn follow-up", "Consultant to child care", "Family advocate",
)  # fmt: skip
SCHOOLS = ("State University, social work", "Community College, early childhood", "University, psychology", "Nursing")
SECTORS = (
    "early_childhood_education", "home_visiting", "child_welfare", "early_intervention", "behavioral_health", "health",
    "iecmh_consultation",
)  # fmt: skip
NOTES = (
    "Called; will send the certificate next week.", "Asked about the renewal window.", "Prefers mail in Spanish.",
    "Portfolio looked through together.", "Moved offices; the address stays.", "Spoke about finding a provider of RSC.",
)  # fmt: skip
COMMENTS = (
    "Thoughtful, and open to feedback.", "A calm presence in hard visits.", "Sees the baby and the parent both.",
    "Still learning to hold boundaries.", "Reflects well on her own part.", "Knows the systems of the county.",
)  # fmt: skip
