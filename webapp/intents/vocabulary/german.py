"""German, as people write it: with umlauts or without, one word or several."""

from webapp.intents.vocabulary.base import Vocabulary

VOCABULARY = Vocabulary(
    settings={
        "rounds": "Runde|Runden|Kommunikationsrunden|Trainingsrunden|Durchgänge|Rundenzahl|"
        "Anzahl der Runden|Anzahl Runden|globale Runden|Kommunikationsrunde",
        "clients": "Client|Clients|Klient|Klienten|Teilnehmer|Teilnehmern|Geräte|Geräten|Knoten|"
        "Kunden|Standorte|Standorten|Anzahl der Clients|Krankenhäuser|Krankenhäusern|Partner|"
        "Partnern|Handys|Kliniken|Beteiligte|Beteiligten",
        "cohort": "pro Runde|je Runde|in jeder Runde|jede Runde|davon|von ihnen|gleichzeitig|"
        "auf einmal|immer|von denen|per Runde|pro Kommunikationsrunde|pro Durchgang|jeweils dran",
        "sampling.fraction": "Teilnahmequote|Anteil der Clients|Client Anteil|Teilnahmerate|"
        "Clientanteil|Auswahlquote|Stichprobenanteil",
        "local.epochs": "Epoche|Epochen|lokale Epochen|lokalen Epochen|lokale Epoche|"
        "Durchläufe|lokale Durchläufe",
        "local.steps": "lokale Schritte|Schritte|lokalen Schritten|lokalen Schritte|"
        "Gradientenschritte|lokale Iterationen|Schritten",
        "local.batch_size": "Batchgröße|Stapelgröße|Batch|Losgröße|Batches von|Batches|Stapel|"
        "Stapel von|Batchgrößen|Stapelgrößen|Minibatch|Minibatches|Minibatchgröße|"
        "Batches der Größe",
        "local.lr": "Lernrate|Lernraten|Schrittweite|Schrittweiten|lokale Lernrate|"
        "Client Lernrate|Lernschrittweite",
        "local.momentum": "Momentum|Impuls|Trägheit",
        "local.weight_decay": "Gewichtsabfall|Gewichtszerfall|Gewichtsverfall",
        "algorithm.server_lr": "Server Lernrate|Serverlernrate|Lernrate des Servers|"
        "globale Lernrate|Lernrate am Server|Lernrate auf dem Server",
        "seed": "Startwert|Zufallsstartwert|Seed|Zufallszahl|Zufallskeim",
        "seeds": "Startwerte|Startwerten|Seeds|Wiederholungen|Zufallsstartwerte|"
        "Zufallsstartwerten|Zufallskeime",
        "repeat": "wiederhole|wiederholt|wiederholen",
        "times": "mal|Mal",
        "target.accuracy": "Genauigkeit|Trefferquote|Testgenauigkeit|Korrektklassifikationsrate",
        "target.loss": "Verlust|Fehlerwert|Testverlust|Loss",
        "target.perplexity": "Perplexität",
        "until": "bis|erreicht|erreichen|Ziel|Zielwert|bis zu einer",
        "evaluation.every": "Testabstand|Auswertungsabstand",
        "evaluation.patience": "Geduld|Auswertungen ohne Verbesserung|Tests ohne Verbesserung|"
        "Tests ohne Fortschritt|ohne Verbesserung",
        "system.dropout": "Ausfall|Ausfälle|Ausfallrate|Ausfallquote|fällt aus|fallen aus|"
        "ausfallen|ausfällt|Ausfallwahrscheinlichkeit|brechen weg|bricht weg|Aussetzer",
        "system.stragglers": "Nachzügler|Nachzüglern|Bummler|Trödler|verspäten sich",
        "field:slowdown": "mal langsamer|mal so langsam|fach langsamer",
        "field:slow_fraction": "langsamer|sind langsam|ist langsam|langsame Clients|langsam",
        "system.bandwidth_mbps": "Bandbreite|Leitungen|Datenrate|Netzgeschwindigkeit|Leitung|"
        "Verbindung|Verbindungen|Anbindung",
        "system.latency_s": "Latenz|Verzögerung",
        "runtime.deadline_s": "Frist|Zeitlimit|Zeitgrenze|Abgabefrist|Zeitlimit pro Runde|"
        "Frist je Runde",
        "dataset.max_train": "Trainingsbeispiele|Trainingsbeispielen|Beispiele|Beispielen|"
        "Trainingsbilder|Trainingsbildern|Bilder|Bildern|Trainingsdaten von",
        "dataset.max_test": "Testbeispiele|Testbeispielen|Testbilder",
        "share_of_data": "der Daten|der Trainingsdaten|des Datensatzes|von den Daten",
        "field:classes_per_client": "Klassen|Klassen pro Client|Klassen je Client|Ziffern|"
        "Klasse|Klassen pro Teilnehmer",
        "field:bits": "Bit|Bits|Bitbreite",
        "field:ratio": "der Einträge|der Gewichte|der Werte|der Gradienten|der Parameter",
        "field:alpha": "Alpha|Konzentration|Konzentrationsparameter",
        "field:mu": "mü|my|proximaler Term",
        "field:hidden": "verborgene Schichten|verborgenen Schichten|versteckte Schichten|"
        "versteckten Schichten|Schichten mit|verdeckte Schichten|verborgene Schicht",
        "field:depth": "Tiefe|Schichten|Blöcke",
        "field:patch_size": "Patchgröße|Kachelgröße",
        "field:max_norm": "Norm|maximale Norm|auf Norm|Länge",
        "field:temperature": "Temperatur",
        "field:byzantine_count": "schlechte Clients|schlechten Clients|faule Updates",
        "attackers": "Angreifer|Angreifern|bösartig|bösartige|bösartigen|böswillig|böswillige|"
        "böswilligen|Saboteure|manipuliert|byzantinisch|byzantinische|greift an|greifen an|"
        "feindlich|bösartiger",
        "privacy": "differentielle Privatsphäre|differenzielle Privatsphäre|Epsilon|"
        "differential privacy|Privatsphärebudget|Differential Privacy|sichere Aggregation|"
        "differentieller Privatsphäre|Datenschutzbudget",
        "traffic": "Verkehr|Datenverkehr|Datenmenge|Datenvolumen|insgesamt übertragen|Bytes|"
        "insgesamt|Übertragung",
    },
    values={
        "runtime.device=cuda": "Grafikkarte|GPU|Grafikprozessor",
        "runtime.device=cpu": "Prozessor|CPU",
        "local.optimizer=sgd": "stochastischer Gradientenabstieg|stochastischem Gradientenabstieg",
        "evaluation.per_client=true": "auf jedem Client testen|auf den eigenen Daten der Clients|"
        "je Client auswerten|auf jedem Client auswerten|auf den Daten jedes Clients|"
        "pro Client auswerten|"
        "pro Client testen|auf jedem Client",
        "partition.mode=power_law": "Potenzgesetz",
        "partition.transform=rotation": "gedreht|gedrehte Bilder|Drehung|drehe|verdreht|rotiert",
        "model.norm=batch": "Batch Normalisierung|Batchnormalisierung",
        "aggregation.weighting=uniform": "gleich gewichtet|ungewichtet|gleiche Gewichte",
        "error_feedback=true": "Fehlerrückführung|Fehlerrückkopplung",
        "rounding=stochastic": "stochastisch gerundet|stochastisches Runden|zufällig runden",
        "compress": "Kompression|komprimiere|komprimiert|komprimieren|Komprimierung|"
        "wenig Verkehr|Verkehr gering|Verkehr soll gering bleiben|wenig Daten übertragen|"
        "Verkehr klein|Datenverkehr gering|geringer Verkehr|sparsam übertragen|Bandbreite sparen|"
        "Datenverkehr niedrig|Verkehr niedrig|Datenverkehr soll gering bleiben|"
        "so wenig Verkehr wie möglich|möglichst wenig Verkehr|möglichst wenig Daten",
    },
    operators={
        "not": "kein|keine|keinen|keiner|keinem|ohne|nicht|statt|anstatt|anstelle von|weg mit|"
        "verzichte auf|ersetze|lass weg|entferne|schalte ab|vermeide|niemals|anstelle",
        "correct": "nein|ach nein|lieber|ich meine|quatsch|Verzeihung|Entschuldigung|vielmehr|"
        "doch lieber|korrigiere|besser|oder besser|halt|beziehungsweise besser|Moment|"
        "ich meinte|genauer gesagt|ändere auf|sagen wir|Pardon",
        "but": "sondern|stattdessen|dafür",
        "versus": "gegen|gegenüber|verglichen mit|versus|im Vergleich zu|im Vergleich mit",
        "and": "und|sowie|plus",
        "or": "oder|bzw|beziehungsweise",
        "compare": "vergleiche|vergleich|im Vergleich|vergleichen|probiere|teste|jeweils|"
        "gegenüberstellen|ausprobieren|Gegenüberstellung|was ist besser",
        "up": "Hochladen|Upload|Uploads|Uplink|aufwärts|hochgeladen|beim Senden|hinauf",
        "down": "Herunterladen|Download|Downlink|abwärts|heruntergeladen|hinunter|Downloads",
        "both": "beide Richtungen|in beiden Richtungen|beiden Richtungen|hin und zurück",
        "every": "alle|jede|nach je|nach jeweils|aller",
        "double": "doppelt|doppelt so viele|verdopple|verdoppelt|verdoppeln|zweimal so viele|"
        "doppelte|das Doppelte",
        "triple": "dreimal so viele|verdreifache|dreifache|verdreifachen",
        "halve": "halbiere|halb so viele|halbieren|halb so groß|halb so hoch",
        "with_without": "mit und ohne|einmal mit und einmal ohne|mit oder ohne|"
        "einmal ohne und einmal mit|ohne und mit",
        "train": "trainiere|trainieren|Training|Experiment|föderiert|föderiertes|föderierten|"
        "föderierte|simuliere|lerne|lernen|Lauf starten|trainiert|föderiertem|aggregiere",
        "command": "lösche|löschen|entferne|starte neu|brich ab|abbrechen|beende|stoppe|"
        "fahre herunter|vernichte|lösch|herunterfahren|breche ab|pausiere|führe aus",
        "object": "Lauf|Läufe|alle Läufe|Projekt|Projekte|Benutzer|Server|Datenbank|Dateien|Datei|"
        "Konto|Konten|Nutzer|Jobs|alles|Tabelle|Befehl|Skript",
        "show": "zeige|zeig|gib|verrate|nenne|sag|liste|schicke",
        "secret": "Passwort|Passwörter|Kennwort|Zugangsdaten|Schlüssel|Geheimnis|Token|"
        "Systemprompt|Kennwörter",
        "ignore": "ignoriere|vergiss|missachte|umgehe",
        "instructions": "Anweisungen|Anweisung|Regeln|Vorgaben|Instruktionen|Befehle",
    },
    sections={
        "dataset": "Datensatz|Daten|Datensätze|Datensatzes",
        "partition": "Aufteilung|Verteilung|verteilt|verteilte|aufgeteilt|Partition|"
        "Partitionierung|Verteilung der Daten",
        "model": "Modell|Netz|Netzwerk|Architektur|Modelle",
        "algorithm": "Algorithmus|Verfahren|Methode|Strategie",
        "sampling": "Auswahl|Stichprobe|auswählen|Clientauswahl|ausgewählt",
        "aggregation": "Aggregation|aggregiere|aggregieren|Verteidigung|Regel|aggregiert",
        "compression": "Codec|Gradienten|Nachrichten|Einträge",
        "attack": "Angriff|Angriffe",
        "local.optimizer": "Optimierer|Optimierungsverfahren",
        "topology": "Topologie",
        "system.speed": "Geschwindigkeit|Geschwindigkeiten",
        "peft": "Feinabstimmung",
    },
    units={
        "percent": "Prozent|vom Hundert|%",
        "bytes:1e6": "Megabyte|Megabytes",
        "bytes:1e9": "Gigabyte",
        "bytes:1e3": "Kilobyte",
        "seconds:1": "Sekunde|Sekunden|Sek",
        "seconds:60": "Minute|Minuten",
        "seconds:0.001": "Millisekunden",
        "mbps:1": "Megabit pro Sekunde|Megabit",
    },
    common="der die das ein eine einen einem einer und oder mit auf fur von zu im in den dem des "
    "ist sind war sei sein soll sollen bitte ich wir du ihr sie es hatte gern nimm verwende nutze "
    "mach daraus aber auch noch nur wie was wer wo wann wird werden morgen guten tag hallo gleich "
    "hochstens mindestens uber bis sobald unter mal je pro davon jeweils jeder jede jedes beim "
    "einmal nehmen teil sieht senden haben hat kann konnen wetter schon sehr mehr weniger als wenn "
    "setze dran kommen hor nach aus bei durch gegen um an zum zur dass damit dann deine dein mir "
    "uns viele vielen etwas alles allen andere anderen dabei dazu diese dieser dieses ganz gut "
    "drei vier eins zwei einigen manche macht machen geben gibt keine lieber",
)
