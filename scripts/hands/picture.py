"""The picture of the page `www/hands.html`: MediaPipe's two photographs of hands side by side.

    python picture.py FOUR.png ROCK.png ../../www/pictures/hands.jpg

The photographs are of MediaPipe's repository (Apache-2.0): model_maker/python/vision/gesture_recognizer/testdata/raw_data,
`four/15a73593-*.jpg` and `rock/026fd791-*.jpg`, cropped so that they show a hand and no face.
"""

import sys

from PIL import Image

SIZE = (480, 360)


def main(four: str, rock: str, out: str) -> None:
    picture = Image.new("RGB", SIZE, (196, 188, 178))
    half = SIZE[0] // 2
    for at, path in enumerate([four, rock]):
        photo = Image.open(path).convert("RGB")
        scale = max(half / photo.width, SIZE[1] / photo.height)
        photo = photo.resize((round(photo.width * scale), round(photo.height * scale)), Image.Resampling.LANCZOS)
        left, top = 0, (photo.height - SIZE[1]) // 2
        picture.paste(photo.crop((left, top, left + half, top + SIZE[1])), (at * half, 0))
    picture.save(out, quality=82, optimize=True, progressive=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
