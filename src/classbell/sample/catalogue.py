"""
What the sample university is made of: departments and their modules, buildings, people's names.

All of it is invented, but for the subjects, which every university teaches.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a class is called, which also says what kind of room it needs."""

    LECTURE = "Lecture"
    TUTORIAL = "Tutorial"
    SEMINAR = "Seminar"
    LAB = "Lab"


@dataclass(frozen=True, slots=True)
class Series:
    """A class that meets each week for so many hours; *grouped* means once for each group of students."""

    kind: Kind
    hours: int

    @property
    def grouped(self) -> bool:
        """Whether the students come in groups rather than all at once."""
        return self.kind is not Kind.LECTURE


@dataclass(frozen=True, slots=True)
class Department:
    """A department with the titles of its modules: four for the first year, three for each later one."""

    code: str
    name: str
    patterns: tuple[tuple[Series, ...], ...]
    years: tuple[tuple[str, ...], ...]
    electives: tuple[str, ...]


_LECTURE = Series(Kind.LECTURE, 1)
_LONG_LECTURE = Series(Kind.LECTURE, 2)
_TUTORIAL = Series(Kind.TUTORIAL, 1)
_SEMINAR = Series(Kind.SEMINAR, 2)
_LAB = Series(Kind.LAB, 2)

# Two or three classes a week for each module, so that four modules make 8 to 12.
_PRACTICAL = (
    (_LECTURE, _LECTURE, _LAB),
    (_LECTURE, _LECTURE, _TUTORIAL),
    (_LONG_LECTURE, _LAB),
)
_DISCURSIVE = (
    (_LECTURE, _LECTURE, _SEMINAR),
    (_LONG_LECTURE, _SEMINAR),
    (_LECTURE, _LECTURE, _TUTORIAL),
)


def _department(
    code: str,
    name: str,
    patterns: tuple[tuple[Series, ...], ...],
    first: str,
    second: str,
    third: str,
    electives: str,
) -> Department:
    years = tuple(tuple(year.split("; ")) for year in (first, second, third))
    return Department(code, name, patterns, years, tuple(electives.split("; ")))


DEPARTMENTS = (
    _department(
        "CS",
        "Computer Science",
        _PRACTICAL,
        "Programming; Computer Systems; Discrete Mathematics; Web Technology",
        "Algorithms and Data Structures; Operating Systems; Databases",
        "Distributed Systems; Compilers; Computer Security",
        "Machine Learning; Computer Graphics; Human-Computer Interaction",
    ),
    _department(
        "HI",
        "History",
        _DISCURSIVE,
        "Making of the Modern World; Sources and Archives; Medieval Europe; History and Memory",
        "The Age of Revolutions; Cities and Trade; Historiography",
        "The Cold War; Empires Compared; Oral History",
        "History of Medicine; Maps and Power; The Printed Word",
    ),
    _department(
        "BI",
        "Biology",
        _PRACTICAL,
        "Cells and Tissues; Genetics; Plant Science; Quantitative Methods",
        "Molecular Biology; Animal Physiology; Ecology",
        "Evolution; Developmental Biology; Immunology",
        "Marine Biology; Neuroscience; Conservation",
    ),
    _department(
        "EC",
        "Economics",
        _DISCURSIVE,
        "Microeconomics; Macroeconomics; Statistics; Economic History",
        "Game Theory; Econometrics; Public Economics",
        "Labour Economics; International Trade; Monetary Policy",
        "Behavioural Economics; Energy Markets; Development Economics",
    ),
    _department(
        "CH",
        "Chemistry",
        _PRACTICAL,
        "Structure and Bonding; Organic Chemistry; Laboratory Practice; Mathematics for Chemists",
        "Thermodynamics; Inorganic Chemistry; Spectroscopy",
        "Reaction Mechanisms; Materials Chemistry; Quantum Chemistry",
        "Medicinal Chemistry; Electrochemistry; Catalysis",
    ),
    _department(
        "LW",
        "Law",
        _DISCURSIVE,
        "Contract Law; Constitutional Law; Legal Method; Criminal Law",
        "Tort; Land Law; European Law",
        "Equity and Trusts; Jurisprudence; Company Law",
        "Medical Law; Intellectual Property; Environmental Law",
    ),
    _department(
        "ME",
        "Mechanical Engineering",
        _PRACTICAL,
        "Statics; Engineering Drawing; Materials; Engineering Mathematics",
        "Dynamics; Fluid Mechanics; Manufacturing",
        "Control Engineering; Heat Transfer; Machine Design",
        "Robotics; Wind Energy; Vehicle Dynamics",
    ),
    _department(
        "EN",
        "English Literature",
        _DISCURSIVE,
        "Reading Poetry; The Novel; Drama on the Page; Critical Writing",
        "Renaissance Drama; Romanticism; Literary Theory",
        "Modernism; Postcolonial Writing; The Essay",
        "Creative Writing; Film and Text; Travel Writing",
    ),
    _department(
        "PH",
        "Physics",
        _PRACTICAL,
        "Mechanics; Waves and Optics; Laboratory Physics; Vector Calculus",
        "Electromagnetism; Quantum Mechanics; Thermal Physics",
        "Solid State Physics; Particle Physics; Statistical Mechanics",
        "Astrophysics; Medical Physics; Climate Physics",
    ),
    _department(
        "PS",
        "Psychology",
        _DISCURSIVE,
        "Foundations of Psychology; Research Methods; Social Psychology; Biological Psychology",
        "Cognition; Child Development; Statistics for Psychology",
        "Clinical Psychology; Memory; Individual Differences",
        "Psychology of Music; Work Psychology; Language and Mind",
    ),
    _department(
        "MA",
        "Mathematics",
        _PRACTICAL,
        "Analysis; Linear Algebra; Probability; Mathematical Computing",
        "Complex Analysis; Group Theory; Differential Equations",
        "Topology; Number Theory; Numerical Analysis",
        "Graph Theory; Cryptography; Mathematical Finance",
    ),
    _department(
        "AR",
        "Architecture",
        _DISCURSIVE,
        "Design Studio; History of Architecture; Structures; Drawing",
        "Building Technology; Urban Design; Architectural Theory",
        "Professional Practice; Housing; Environmental Design",
        "Timber Construction; Conservation of Buildings; Landscape",
    ),
)

BUILDINGS = ("Hooke", "Somerville", "Franklin", "Banneker", "Noether", "Lovelace", "Herschel", "Anning")

# Seats of the rooms that are built for each kind of class, smallest first.
SEATS = {
    Kind.LECTURE: (30, 60, 120, 200, 320),
    Kind.TUTORIAL: (16, 24, 32),
    Kind.SEMINAR: (16, 24, 32),
    Kind.LAB: (24, 32),
}

FIRST_NAMES = (  # noqa: SIM905 - quoting each name would fill two pages
    "Ada Aisha Amara Anika Arjun Ben Bo Carys Chen Chloe Clara Dana David Diego Ebba Elena Elif Emeka Emma Erik "
    "Fatima Femi Finn Freya Grace Hana Hugo Idris Ines Isla Ivan Jamal Jana Jin Jonas Kai Kofi Lars Leila Lena "
    "Liam Lucia Luca Magnus Mara Maya Mei Mina Nadia Nia Nils Noor Olga Omar Oscar Paula Pavel Priya Rafael Rosa "
    "Ruth Samir Sana Sofia Sven Tara Tessa Theo Tomas Uma Vera Victor Wanda Yara Yusuf Zoe"
).split()

LAST_NAMES = (  # noqa: SIM905 - the same
    "Abara Adler Ahmed Andersen Asante Bakker Banerjee Becker Bianchi Blake Bergstrom Byrne Carter Castro Chowdhury "
    "Cole Costa Dahl Dalton Davies Demir Diallo Dubois Eriksen Evans Farouk Ferrari Fischer Fofana Garcia Gill Grant "
    "Haddad Hale Hansen Hughes Ibrahim Iyer Jansen Jensen Kaya Keller Khan Kim Kowalski Kumar Larsen Laurent Lee Lind "
    "Lopez Mahmoud Marsh Mensah Meyer Molina Moreau Murphy Nakamura Ndiaye Nguyen Novak Okafor Olsen Osei Park Patel "
    "Pereira Petrov Quinn Rahman Ramos Reid Rossi Roy Sato Schmidt Silva Singh Sorensen Stone Sundberg Takahashi Tan "
    "Thomas Torres Usman Vance Varga Virtanen Walsh Weber Wong Wright Yilmaz Young Zhang Zielinska"
).split()
