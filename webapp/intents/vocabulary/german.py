"""German, as people write it: with umlauts or without, one word or several."""

from webapp.intents.vocabulary.base import Vocabulary

VOCABULARY = Vocabulary(
    settings={
        "rounds": "Runde|Runden|Kommunikationsrunden|Trainingsrunden|Durchgänge|Rundenzahl|"
        "Anzahl der Runden|Anzahl Runden|globale Runden|Kommunikationsrunde|Rundenanzahl|"
        "Zahl der Runden|Föderationsrunden",
        "clients": (
            "Client|Clients|Klient|Klienten|Teilnehmer|Teilnehmern|Geräte|Geräten|Knoten|Kunden|"
            "Standorte|Standorten|Anzahl der Clients|Krankenhäuser|Krankenhäusern|Partner|"
            "Partnern|Handys|Kliniken|Beteiligte|Beteiligten|Banken|Telefone|Telefonen|"
            "Smartphones|Rechner|Rechnern|Einrichtungen|Firmen|Schulen|Sensoren|Autos|Nutzer|"
            "Nutzern|Teilnehmende|Teilnehmenden|Parteien|Krankenhaus|Gerät|Institute|Instituten|"
            "Filialen|Apotheken|Laptops|Endgeräte|Endgeräten|Mitspieler|Organisationen|"
            "Clientzahl|Zahl der Clients|Anzahl Clients|Zahl der Teilnehmer"
        ),
        "cohort": "pro Runde|je Runde|in jeder Runde|jede Runde|davon|von ihnen|gleichzeitig|"
        "auf einmal|immer|von denen|per Runde|pro Kommunikationsrunde|pro Durchgang|"
        "jeweils dran|jeweils|dabei|pro Trainingsrunde|davon jeweils|von denen jeweils|"
        "davon je|zugleich|jedes Mal|je Durchgang|pro Rundendurchlauf",
        "sampling.fraction": "Teilnahmequote|Anteil der Clients|Client Anteil|Teilnahmerate|"
        "Clientanteil|Auswahlquote|Stichprobenanteil",
        "local.epochs": "Epoche|Epochen|lokale Epochen|lokalen Epochen|lokale Epoche|Durchläufe|"
        "lokale Durchläufe|lokale Durchgänge|Durchläufe über die Daten|"
        "lokale Trainingsepochen|Epochen lokal|lokalen Durchläufen|Trainingsepochen",
        "local.steps": "lokale Schritte|Schritte|lokalen Schritten|lokalen Schritte|"
        "Gradientenschritte|lokale Iterationen|Schritten",
        "local.batch_size": (
            "Batchgröße|Stapelgröße|Batch|Losgröße|Batches von|Batches|Stapel|Stapel von|"
            "Batchgrößen|Stapelgrößen|Minibatch|Minibatches|Minibatchgröße|Batches der Größe|"
            "Minibatches von|Batch Größe|Losgrößen|Päckchen von|Batches mit|Stapel mit|"
            "Stapeln von|Batch von|Batchgrösse"
        ),
        "local.lr": (
            "Lernrate|Lernraten|Schrittweite|Schrittweiten|lokale Lernrate|Client Lernrate|"
            "Lernschrittweite|Lern Rate|Lernratte|lr|Learning Rate|Schrittlänge|Lernratenwerte|"
            "Lernrate der Clients"
        ),
        "local.momentum": "Momentum|Impuls|Trägheit",
        "local.weight_decay": "Gewichtsabfall|Gewichtszerfall|Gewichtsverfall",
        "algorithm.server_lr": "Server Lernrate|Serverlernrate|Lernrate des Servers|"
        "globale Lernrate|Lernrate am Server|Lernrate auf dem Server",
        "seed": "Startwert|Zufallsstartwert|Seed|Zufallszahl|Zufallskeim",
        "seeds": (
            "Versuche|Versuchen|"
            "Startwerte|Startwerten|Seeds|Wiederholungen|Zufallsstartwerte|Zufallsstartwerten|"
            "Zufallskeime|Durchläufe mit verschiedenen Startwerten|verschiedene Startwerte|"
            "verschiedenen Startwerten|Zufallssaaten|verschiedene Seeds|verschiedenen Seeds|"
            "Wiederholung|Seeds je|Läufe je"
        ),
        "repeat": "wiederhole|wiederholt|wiederholen",
        "times": "mal|Mal",
        "target.accuracy": "Genauigkeit|Trefferquote|Testgenauigkeit|Korrektklassifikationsrate|"
        "Treffergenauigkeit|Accuracy|Korrektheit|Klassifikationsgenauigkeit",
        "target.loss": "Verlust|Fehlerwert|Testverlust|Loss",
        "target.perplexity": "Perplexität",
        "until": (
            "bis|erreicht|erreichen|Ziel|Zielwert|bis zu einer|bis zu|erreicht sind|erreicht ist|"
            "erreicht hat|über|erlangt|erzielt|schafft|überschreitet|überschritten|geknackt|"
            "wenigstens|ab"
        ),
        "evaluation.every": "Testabstand|Auswertungsabstand",
        "evaluation.patience": "Geduld|Auswertungen ohne Verbesserung|Tests ohne Verbesserung|"
        "Tests ohne Fortschritt|ohne Verbesserung",
        "system.dropout": (
            "Ausfall|Ausfälle|Ausfallrate|Ausfallquote|fällt aus|fallen aus|ausfallen|ausfällt|"
            "Ausfallwahrscheinlichkeit|brechen weg|bricht weg|Aussetzer|fallen weg|fällt weg|"
            "verschwinden|brechen ab|bricht ab|gehen offline|melden sich nicht|nicht erreichbar|"
            "ausgefallen|gehen verloren|Abbrecher|Abbruchrate|steigen aus|steigt aus"
        ),
        "system.stragglers": (
            "Nachzügler|Nachzüglern|Bummler|Trödler|verspäten sich|hinken hinterher|"
            "hinkt hinterher|kommen zu spät|verspätet|zu spät|Spätkommer|trödeln|trödelt"
        ),
        "field:slowdown": "mal langsamer|mal so langsam|fach langsamer",
        "field:slow_fraction": (
            "langsamer|sind langsam|ist langsam|langsame Clients|langsam|sind langsamer|"
            "langsame Geräte|sind träge"
        ),
        "system.bandwidth_mbps": "Bandbreite|Leitungen|Datenrate|Netzgeschwindigkeit|Leitung|"
        "Verbindung|Verbindungen|Anbindung",
        "system.latency_s": "Latenz|Verzögerung",
        "runtime.deadline_s": "Frist|Zeitlimit|Zeitgrenze|Abgabefrist|Zeitlimit pro Runde|"
        "Frist je Runde",
        "dataset.max_train": "Trainingsbeispiele|Trainingsbeispielen|Beispiele|Beispielen|"
        "Trainingsbilder|Trainingsbildern|Bilder|Bildern|Trainingsdaten von",
        "dataset.max_test": "Testbeispiele|Testbeispielen|Testbilder",
        "share_of_data": (
            "der Daten|der Trainingsdaten|des Datensatzes|von den Daten|der Trainingsbeispiele|"
            "der Beispiele|aller Daten|vom Datensatz|der Bilder"
        ),
        "field:classes_per_client": (
            "Klassen|Klassen pro Client|Klassen je Client|Ziffern|Klasse|Klassen pro Teilnehmer|"
            "Etiketten|verschiedene Klassen|Labels|Label|Ziffer|Kategorien|Klassen je Gerät|"
            "Labels je Client|Labels pro Client|unterschiedliche Klassen"
        ),
        "field:bits": "Bit|Bits|Bitbreite",
        "field:ratio": (
            "der Einträge|der Gewichte|der Werte|der Gradienten|der Parameter|der Komponenten|"
            "der Gradienteneinträge|aller Einträge|der größten Einträge|der Koordinaten|Dichte|"
            "der Elemente"
        ),
        "field:alpha": "Alpha|Konzentration|Konzentrationsparameter",
        "field:mu": (
            "mü|my|proximaler Term|Mu|proximaler Parameter|Proximalterm|proximales Gewicht|"
            "Proximalgewicht|proximalem Term|proximalen Term"
        ),
        "field:hidden": "verborgene Schichten|verborgenen Schichten|versteckte Schichten|"
        "versteckten Schichten|Schichten mit|verdeckte Schichten|verborgene Schicht|Neuronen|"
        "verborgene Neuronen|versteckte Neuronen|verborgenen Neuronen|Einheiten|"
        "verborgene Einheiten|versteckten Neuronen|Schichten zu je|Schichten à|"
        "Zwischenschichten|Zwischenschicht|versteckte Schicht|versteckten Schicht|"
        "verborgenen Schicht",
        "field:depth": "Tiefe|Schichten|Blöcke",
        "field:patch_size": "Patchgröße|Kachelgröße",
        "field:max_norm": "Norm|maximale Norm|auf Norm|Länge",
        "field:temperature": "Temperatur",
        "field:byzantine_count": "schlechte Clients|schlechten Clients|faule Updates",
        "attackers": (
            "Angreifer|Angreifern|bösartig|bösartige|bösartigen|böswillig|böswillige|böswilligen|"
            "Saboteure|manipuliert|byzantinisch|byzantinische|greift an|greifen an|feindlich|"
            "bösartiger|Bösewichte|böse|bösen|schädlich|schädliche|schädlichen|kompromittiert|"
            "kompromittierte|feindliche|feindlichen|Angriffe|manipulierte|manipulierten|"
            "Saboteuren|lügen|Störer|betrügen|betrügt|Lügner|Betrüger|verseucht"
        ),
        "privacy.dp.epsilon": "Privatsphärebudget|Datenschutzbudget",
        "privacy.dp.noise_multiplier": "Rauschfaktor|Rauschmultiplikator",
        "privacy": "Privatsphäre|Datenschutz",
        "traffic": "Verkehr|Datenverkehr|Datenmenge|Datenvolumen|insgesamt übertragen|Bytes|"
        "insgesamt|Übertragung",
    },
    values={
        "runtime.device=cuda": "Grafikkarte|GPU|Grafikprozessor",
        "runtime.device=cpu": "Prozessor|CPU",
        "local.optimizer=sgd": "stochastischer Gradientenabstieg|stochastischem Gradientenabstieg",
        "evaluation.per_client=true": (
            "auf jedem Client testen|auf den eigenen Daten der Clients|je Client auswerten|"
            "auf jedem Client auswerten|auf den Daten jedes Clients|pro Client auswerten|"
            "pro Client testen|auf jedem Client|einzeln pro Client|für jeden Client einzeln|"
            "jeden Client einzeln|pro Client bewerten|je Client bewerten|je Client testen|"
            "Client für Client|Genauigkeit je Client|Genauigkeit pro Client|"
            "Auswertung pro Client|Auswertung je Client|pro Client ausgewertet|"
            "je Client ausgewertet"
        ),
        "partition.mode=power_law": "Potenzgesetz",
        "partition.transform=rotation": "gedreht|gedrehte Bilder|Drehung|drehe|verdreht|rotiert",
        "model.norm=batch": "Batch Normalisierung|Batchnormalisierung",
        "aggregation.weighting=uniform": "gleich gewichtet|ungewichtet|gleiche Gewichte",
        "error_feedback=true": "Fehlerrückführung|Fehlerrückkopplung",
        "rounding=stochastic": "stochastisch gerundet|stochastisches Runden|zufällig runden",
        "compress": (
            "Kompression|komprimiere|komprimiert|komprimieren|Komprimierung|wenig Verkehr|"
            "Verkehr gering|Verkehr soll gering bleiben|wenig Daten übertragen|Verkehr klein|"
            "Datenverkehr gering|geringer Verkehr|sparsam übertragen|Bandbreite sparen|"
            "Datenverkehr niedrig|Verkehr niedrig|Datenverkehr soll gering bleiben|"
            "so wenig Verkehr wie möglich|möglichst wenig Verkehr|möglichst wenig Daten|"
            "spare Bandbreite|spare Daten|spare Verkehr|Datenmenge klein|kleine Nachrichten|"
            "wenig Datenverkehr|den Datenverkehr gering|geringe Datenmenge|"
            "weniger Daten übertragen|weniger Datenverkehr|weniger Verkehr|Uploads klein|"
            "Kommunikation sparen|sparsame Kommunikation|Bandbreite schonen|Traffic gering|"
            "wenig Traffic|Traffic niedrig|Verkehr sparen|komprimierte|komprimierten|kompressiert"
        ),
    },
    operators={
        "not": "kein|keine|keinen|keiner|keinem|ohne|nicht|statt|anstatt|anstelle von|weg mit|"
        "verzichte auf|ersetze|lass weg|entferne|schalte ab|vermeide|niemals|anstelle|lass|"
        "lasse|weglassen|streiche|streich|schalte|deaktiviere|abschalten|ausschalten|"
        "nimm raus|raus mit|verzichtet auf|mach ohne|entfern|entferne die|entferne das|"
        "statt des|statt der|anstelle des|anstelle der|keinerlei|nie|weder|noch|bloß kein|"
        "bloß keine|ohne jede|nicht mehr|tausche|tausch|wechsle von",
        "correct": "nein|ach nein|lieber|ich meine|quatsch|Verzeihung|Entschuldigung|vielmehr|"
        "doch lieber|korrigiere|besser|oder besser|halt|beziehungsweise besser|Moment|"
        "ich meinte|genauer gesagt|ändere auf|sagen wir|Pardon|äh|ähm|besser gesagt|"
        "Korrektur|Moment mal|sorry|stimmt nicht|falsch|Irrtum|tut mir leid|bzw besser|ne|"
        "nee|oder nein|wart|warte|eher|lieber doch|doch",
        "but": "sondern|stattdessen|dafür",
        "versus": (
            "gegen|gegenüber|verglichen mit|versus|im Vergleich zu|im Vergleich mit|vs|oder doch|"
            "gegen die|gegen das"
        ),
        "and": "und|sowie|plus",
        "or": "oder|bzw|beziehungsweise",
        "compare": "vergleiche|vergleich|im Vergleich|vergleichen|probiere|teste|jeweils|"
        "gegenüberstellen|ausprobieren|Gegenüberstellung|was ist besser|testen|prüfe|"
        "probieren|probier|vergleich mal|welches ist besser|welche ist besser|was besser ist|"
        "was ist am besten|schneidet besser ab|besser|variiere|variieren|untersuche|"
        "mal durchprobieren|durchprobieren|beide|im Test|ob|gegenübergestellt|je einmal|"
        "am besten",
        "up": "Hochladen|Upload|Uploads|Uplink|aufwärts|hochgeladen|beim Senden|hinauf",
        "down": "Herunterladen|Download|Downlink|abwärts|heruntergeladen|hinunter|Downloads",
        "both": (
            "beide Richtungen|in beiden Richtungen|beiden Richtungen|hin und zurück|hin und her|"
            "Upload und Download|hoch und runter|Uplink und Downlink|beidseitig"
        ),
        "every": "alle|jede|nach je|nach jeweils|aller|jeder|jedes|jeden|jedem|alle paar",
        "double": (
            "doppelt|doppelt so viele|verdopple|verdoppelt|verdoppeln|zweimal so viele|doppelte|"
            "das Doppelte|verdoppele|doppelt so lang|doppelt so viel|zweimal so viel|"
            "doppelt so groß|doppelt so hoch|das Zweifache|Verdopplung|verdopple bitte"
        ),
        "triple": "dreimal so viele|verdreifache|dreifache|verdreifachen",
        "halve": "halbiere|halb so viele|halbieren|halb so groß|halb so hoch|auf die Hälfte|"
        "um die Hälfte|Hälfte der|halbier|halb so viel|zweimal kleiner|doppelt so klein|"
        "die Hälfte der",
        "with_without": "mit und ohne|einmal mit und einmal ohne|mit oder ohne|"
        "einmal ohne und einmal mit|ohne und mit",
        "train": "trainiere|trainieren|Training|Experiment|föderiert|föderiertes|föderierten|"
        "föderierte|simuliere|lerne|lernen|Lauf starten|trainiert|föderiertem|aggregiere|"
        "trainier|Trainingslauf|Versuch|Testlauf|Probelauf|Lauf|Durchlauf|Simulation|"
        "föderieren|trainierst|antrainieren|lernt|Föderation|Aggregation",
        "command": (
            "lösche|löschen|entferne|starte neu|brich ab|abbrechen|beende|stoppe|fahre herunter|"
            "vernichte|lösch|herunterfahren|breche ab|pausiere|führe aus|schalte aus|"
            "fahr herunter|fahr|fahre|runterfahren|herunter|formatiere|hacke|kill|stopp|stoppt|"
            "leere|schalte ab|installiere|sperre|zerstöre|überschreibe"
        ),
        "object": (
            "Lauf|Läufe|alle Läufe|Projekt|Projekte|Benutzer|Server|Datenbank|Dateien|Datei|"
            "Konto|Konten|Nutzer|Jobs|alles|Tabelle|Befehl|Skript|Rechner|Festplatte|Admin|"
            "Adminrechte|Administrator|Läufen|Projekten|Datenbanken|System|Maschine|Verlauf|"
            "Accounts"
        ),
        "show": (
            "zeige|zeig|gib|verrate|nenne|sag|liste|schicke|zeige mir|zeig mir|gib mir|verrat|"
            "nenn|listet|drucke|lies|liefere"
        ),
        "secret": (
            "Passwort|Passwörter|Kennwort|Zugangsdaten|Schlüssel|Geheimnis|Token|Systemprompt|"
            "Kennwörter|Passworte|API Schlüssel|Tokens|Umgebungsvariablen|Zugangscode|"
            "Admin Passwort|Geheimnisse|Anmeldedaten"
        ),
        "ignore": "ignoriere|vergiss|missachte|umgehe",
        "instructions": "Anweisungen|Anweisung|Regeln|Vorgaben|Instruktionen|Befehle",
        "search": "finde|finde mir|suche|such|suche nach|optimiere|finden",
    },
    sections={
        "dataset": "Datensatz|Daten|Datensätze|Datensatzes",
        "partition": "Aufteilung|Verteilung|verteilt|verteilte|aufgeteilt|Partition|"
        "Partitionierung|Verteilung der Daten",
        "model": "Modell|Netz|Netzwerk|Architektur|Modelle",
        "algorithm": "Algorithmus|Verfahren|Methode|Strategie",
        "sampling": (
            "Auswahl|Stichprobe|auswählen|Clientauswahl|ausgewählt|nehmen teil|nimmt teil|"
            "machen mit|macht mit|mitmachen|teilnehmen|beteiligen sich|beteiligt sich|gezogen|"
            "ausgelost|wählen|wähle"
        ),
        "aggregation": "Aggregation|aggregiere|aggregieren|Verteidigung|Regel|aggregiert",
        "compression": "Codec|Gradienten|Nachrichten|Einträge",
        "attack": "Angriff|Angriffe|Angriffen|Attacke|Attacken|Angreifer",
        "local.optimizer": "Optimierer|Optimierungsverfahren",
        "topology": "Topologie",
        "system.speed": "Geschwindigkeit|Geschwindigkeiten",
        "peft": "Feinabstimmung|feintunen|anpassen|feinabstimmen|Feintuning|trainiere nur|"
        "nur trainieren|Finetuning",
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
    common="der die das ein eine einen einem einer und oder mit auf fur von zu im in den dem "
    "des ist sind war sei sein soll sollen bitte ich wir du ihr sie es hatte gern nimm "
    "verwende nutze mach daraus aber auch noch nur wie was wer wo wann wird werden "
    "morgen guten tag hallo gleich hochstens mindestens uber bis sobald unter mal je pro "
    "davon jeweils jeder jede jedes beim einmal nehmen teil sieht senden haben hat kann "
    "konnen wetter schon sehr mehr weniger als wenn setze dran kommen hor nach aus bei "
    "durch gegen um an zum zur dass damit dann deine dein mir uns viele vielen etwas "
    "alles allen andere anderen dabei dazu diese dieser dieses ganz gut drei vier eins "
    "zwei einigen manche macht machen geben gibt keine lieber sehen siehst sah gesehen "
    "bekommen bekommt hole holt gehen geht ging laufen läuft lief stehen steht stand "
    "liegen liegt lag lassen lässt ließ finden findet fand denken dachte glauben glaubt "
    "wissen weiß wusste bleiben bleibt blieb bringen bringt brachte halten hält heißen "
    "heißt nennen zeigen führen sprechen spricht fragen fragt brauchen brauche braucht "
    "benötige benötigen benötigt versuchen versuche arbeiten arbeitet helfen hilft "
    "spielen spielt leben lebt müssen muss musst mussten dürfen darf sollte sollten "
    "könnte könnten würde würden möchte möchten wollen will wolltest gerne bloß "
    "eigentlich vielleicht wahrscheinlich ungefähr etwa genau ziemlich besonders vorerst "
    "erstmal zuerst zunächst danach anschließend schließlich endlich bereits gerade eben "
    "jetzt heute gestern immer nie oft manchmal selten wieder weiter zusammen allein "
    "besser schlecht groß klein kleine kleinen kleiner große großen größer hoch hohe "
    "niedrig niedrige schnell schnelle schnellen langsame lang lange kurz kurze kurzen "
    "neu neue alt einfach einfache schwer leicht leichte stark schwach hiermit dafür "
    "darauf daran darin deshalb deswegen trotzdem jedoch während obwohl weil falls "
    "sofern solange seit gegenüber zwischen neben hinter vor ohne außer innerhalb "
    "außerhalb insgesamt beispielsweise Beispiel bitteschön danke dankeschön moin servus "
    "grüß leute freunde welche welcher welches welchen wieviel wieviele beide beiden "
    "einzelne einzelnen verschiedene verschiedenen übliche Stück Sachen Sache Ding Dinge "
    "Fall Weise Zeit Tag Tage Woche Leute Mensch Menschen Frage Fragen Idee Ziel Aufgabe "
    "Wert Werte Werten Zahl Anzahl Menge Rest Teil Teile",
)
