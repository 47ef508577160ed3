// A picture of the charts as the bytes of a PNG file: drawn on a canvas of the page.
import { textSize, type Picture } from './picture.ts';

/** So sharp that it can be printed. */
const scale = 2;

export async function pngOf({
  width,
  height,
  background,
  font,
  marks,
}: Picture): Promise<Uint8Array<ArrayBuffer>> {
  const canvas = document.createElement('canvas');
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('The page has no canvas to draw on.');
  context.scale(scale, scale);
  context.fillStyle = background;
  context.fillRect(0, 0, width, height);
  for (const mark of marks) {
    if (mark.mark === 'text') {
      context.fillStyle = mark.colour;
      context.font = `${mark.bold ? '600 ' : ''}${textSize}px ${font}`;
      context.textAlign = mark.anchor === 'middle' ? 'center' : mark.anchor;
      context.fillText(mark.text, ...mark.at);
      continue;
    }
    context.strokeStyle = mark.colour;
    context.lineWidth = mark.width;
    context.setLineDash(mark.dashed ? [5, 4] : []);
    context.beginPath();
    for (const [index, point] of mark.points.entries())
      if (index === 0) context.moveTo(...point);
      else context.lineTo(...point);
    context.stroke();
  }
  const blob = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, 'image/png');
  });
  if (!blob) throw new Error('The picture could not be made.');
  return new Uint8Array(await blob.arrayBuffer());
}
